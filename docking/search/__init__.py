"""How the poses of lowest energy are found, many walkers at once, in JAX.

motion, descent                 torsions to places, forces to torques; down to the nearest minimum
walk, refine                    the search; its minima to a few distinct poses
effort, assembly                how long to look; several bodies at once
programs                        what was traced and compiled, kept for the next process
"""
