"""How an environment is started on one machine: a warm parent forks supervisors, a supervisor a server."""
