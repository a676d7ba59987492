"""What else is on this machine: timers, cron jobs, hooks that sleep, accounts, what is served.

It may import the rooms below it, and only looks: nothing on the machine is ever changed here.
"""
