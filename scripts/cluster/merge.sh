#!/bin/sh
# Puts the shards together and writes the tables, once all tasks have ended well.
#   BENCHMARK, MASKSCOPE   as in shard.sh
# Arguments go to "maskscope benchmark merge".
set -eu

exec ${MASKSCOPE:-maskscope} benchmark merge "${BENCHMARK:?Say where the shards are: BENCHMARK}"/shard-* --out "$BENCHMARK/whole" "$@"
