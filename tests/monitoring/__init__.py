"""What is in ``packaging/monitoring``, with the real Prometheus, NRPE and Zabbix agent of Debian's.

``tests/monitoring/install`` installs them without starting them; ``make monitoring`` runs all.
"""
