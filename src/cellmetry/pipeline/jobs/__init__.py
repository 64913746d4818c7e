"""Work on a study that takes time: kinds of jobs, the processes that do them, the runner that watches over those."""
