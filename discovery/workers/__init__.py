"""Who does the work, and what if they die: worker and crew (processes), leases and sharing (who has which chunk), joining (other
hosts), interrupt (told to stop), slurm (many nodes).
"""
