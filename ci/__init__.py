"""What runs, publishes and reports the papers' notebooks: `make` calls the modules of this package."""

import sys

# jsonschema uses this module to check IRIs where it is installed, and it takes two seconds of every start to import.
# Nothing here has an IRI, so it counts as not installed.
sys.modules.setdefault("rfc3987_syntax", None)
