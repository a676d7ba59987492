"""Certbot's files of a lineage: ``renewal/NAME.conf``, ``live/NAME/``, ``archive/NAME/``.

``files`` reads them, ``archive`` knows the versions and moves the links, ``adoption`` edits a
renewal file, ``durable`` writes.

It may import the rooms below it. Why a link moves, or a file is changed, never enters: the rooms
above decide, and the layout is Certbot's documented one.
"""
