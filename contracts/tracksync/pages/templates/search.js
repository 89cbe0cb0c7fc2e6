// Shows the entries that have every word which is typed. Without scripts the page is a list of everything.
const input = document.getElementById("words");
const count = document.getElementById("count");
const entries = [...document.querySelectorAll("#found li")].map((item) => [item, item.textContent.toLowerCase()]);

function search() {
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  let found = 0;
  for (const [item, text] of entries) {
    item.hidden = !words.every((word) => text.includes(word));
    found += item.hidden ? 0 : 1;
  }
  count.textContent = words.length ? `${found} found` : "";
}

document.getElementById("form").hidden = false;
input.addEventListener("input", search);
input.value = decodeURIComponent(location.hash.slice(1));
search();
