"""Sockets: serving an application, HTTP/2, recording what a connection carries, and forwarding it."""
