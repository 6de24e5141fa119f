"""One thin command a stage; the only place where stages meet sideways."""
