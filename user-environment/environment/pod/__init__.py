"""How an environment is started in a pod: its first process is the supervisor, the kubelet is all that stands outside."""
