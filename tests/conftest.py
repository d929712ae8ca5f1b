"""What all tests share: hundreds of thousands of objects stay alive through them, so garbage is looked for less often."""

import gc

gc.set_threshold(50_000, 20, 10)
