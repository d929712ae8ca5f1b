"""A plug-in whose library is not installed."""

import no_such_library

Anything = no_such_library.Anything
