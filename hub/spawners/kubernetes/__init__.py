"""Environments as pods, workspaces as volumes.

spawner.py   the interface, composed of what follows
place.py     where in a cluster: namespace, images, storage class
calls.py     how the API server is called: deadlines, and foreign errors translated once
api.py       the calls that the spawner is made of
objects.py   pod, Secret and claim of a start, as pure functions of its spec; container.py, parts.py: what they are made of
informer.py  a copy of all objects of one kind, kept fresh by list and watch
mirror.py    what runs in the namespace, kept fresh by informers, and who wants to hear of it
starts.py    what all starts are, made of pods and of what no pod tells
kept.py      what of an object is worth its memory
reading.py   what one pod says of its start, as a pure function
scheduling.py  why no node can take a pod, in a sentence
ending.py    why a pod ended, as a pure function
orders.py    carries out the order to start, beside the caller
volumes.py   size, archive and deletion of workspaces
reader_pod.py  the small pods that read a volume, as pure functions
reader.py    the program of those pods
pulled.py    the program that an upgrade waits for
"""
