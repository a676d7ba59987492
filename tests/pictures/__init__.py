"""The pictures of the READMEs and of the manual, made from measured runs.

``make pictures`` measures, writes what it found to ``docs/pictures/*.json``, and draws that.
``python -m tests.pictures --draw`` draws again what was measured before.
"""
