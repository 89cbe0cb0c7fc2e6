"""The documentation as HTML pages: a page for every clause, ambiguity, fault, scenario, command, option and setting,
the OpenAPI document, and the documents of the project.

    site.site(commands) -> {path: text}      links.broken_links(site) -> …      site.write(site, folder)

All of it is made when it is asked for, from the data of this installation: nothing generated is committed or shipped,
and no page can disagree with the tracksync that shows it. Pages need no network and no server.
"""
