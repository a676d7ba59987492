"""The ground: what every room stands on.

The names and destinations of the options and their readers, the language of the messages, the
exceptions, and the words for a damaged installation.

It may import the standard library and Certbot's public API. No rule of JPRS's, no file of
Certbot's and no network ever enters: Certbot imports this room for every command.
"""
