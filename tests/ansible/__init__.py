"""The Ansible collection, against hosts of the lab: Debian's sshd, real Ansible, JPRS's stand-in.

``make ansible`` runs these tests. They need root, and what ``install`` brings.
"""
