import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A small client of POST /users/track/sync, which keeps the contract: it waits after a 429, tries again after a 5XX with
 * pauses that grow, and reports success only where the response shows the update.
 */
class Client {
    static class Failed extends Exception {
        Failed(String message) {
            super(message);
        }
    }

    private static final int ATTEMPTS = 6;
    private static final Duration TIME_OUT = Duration.ofSeconds(60);
    private static final Set<Integer> NOT_APPLIED = Set.of(429, 502, 503); // after these, nothing was applied
    private final ObjectMapper json = new ObjectMapper();
    private final HttpClient http = HttpClient.newHttpClient();
    private final URI url;
    private final String key;

    Client(String endpoint, String key) {
        this.url = URI.create(endpoint.replaceAll("/+$", "") + "/users/track/sync");
        this.key = key;
    }

    /** Sets attributes of a user, and checks that the response shows them. */
    void set(String user, Map<String, ?> attributes) throws Failed, IOException, InterruptedException {
        Map<String, Object> object = new HashMap<>(attributes);
        object.put("external_id", user);
        JsonNode shown = send(Map.of("attributes", List.of(object)), true).at("/users/0/custom_attributes");
        for (var entry : attributes.entrySet()) {
            if (!json.readTree(json.writeValueAsString(entry.getValue())).equals(shown.get(entry.getKey()))) {
                throw new Failed(entry.getKey() + " was not applied");
            }
        }
    }

    /** Records an event. It is not sent again when it is not known whether it was applied: it would count twice. */
    void event(String user, String name) throws Failed, IOException, InterruptedException {
        var event = Map.of("external_id", user, "name", name, "time", Instant.now().toString());
        if (send(Map.of("events", List.of(event)), false).path("users").isEmpty()) {
            throw new Failed(name + " was not applied");
        }
    }

    private JsonNode send(Object body, boolean repeatable) throws Failed, IOException, InterruptedException {
        var request = HttpRequest.newBuilder(url).timeout(TIME_OUT).header("Content-Type", "application/json")
            .header("Authorization", "Bearer " + key)
            .POST(HttpRequest.BodyPublishers.ofString(json.writeValueAsString(body))).build();
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            HttpResponse<String> response = null;
            try {
                response = http.send(request, HttpResponse.BodyHandlers.ofString());
                if (response.statusCode() == 201 && json.readTree(response.body()).isObject()) {
                    return json.readTree(response.body());
                }
            } catch (IOException error) { // no response, or one that is not JSON
                response = null;
            }
            int status = response == null ? 0 : response.statusCode();
            if (status >= 400 && status < 500 && status != 429) {
                throw new Failed("refused with " + status);
            }
            if (!repeatable && !NOT_APPLIED.contains(status)) {
                throw new Failed("it may have been applied");
            }
            Thread.sleep(status == 429 ? untilReset(response, attempt) : 200L << attempt);
        }
        throw new Failed("no success after " + ATTEMPTS + " tries");
    }

    /** Milliseconds. The clocks may differ: at least a second, and more where the limit is still in force. */
    private static long untilReset(HttpResponse<?> response, int attempt) {
        long reset = 1000 * response.headers().firstValueAsLong("x-ratelimit-reset").orElse(0);
        return Math.max(reset - System.currentTimeMillis() + 50, 1000L * (attempt + 1));
    }
}
