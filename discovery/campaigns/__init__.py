"""Around a campaign: sketch and parts (writing one), planning (its cost), starting and walking (its beginning, its stages),
replaying (the same scores again).
"""
