#!/bin/bash
# Each fuzz target over its corpus, and for 10 seconds on inputs of its own.
exec "$(dirname "$0")/run" 10
