#!/bin/sh
# One shard of a benchmark, for a scheduler that numbers its tasks: a Slurm array or a Kubernetes indexed Job.
#   BENCHMARK   the shared folder that all shards write below
#   SHARDS      how many there are; Slurm tells by itself. Where it is said, the tasks of an array have the numbers of
#               their shards, from 1 on, and some of them can be submitted alone
#   MASKSCOPE   how the program is called, "maskscope" where left out
# Arguments go to "maskscope benchmark". A task that is started again goes on where it stopped.
set -eu

if [ -n "${SLURM_ARRAY_TASK_ID:-}" ]; then
  shards=${SHARDS:-${SLURM_ARRAY_TASK_COUNT:?Say how many shards there are: SHARDS}}
  if [ -n "${SHARDS:-}" ]; then shard=$SLURM_ARRAY_TASK_ID; else shard=$((SLURM_ARRAY_TASK_ID - ${SLURM_ARRAY_TASK_MIN:-1} + 1)); fi
elif [ -n "${JOB_COMPLETION_INDEX:-}" ]; then
  shards=${SHARDS:?Say how many shards there are: SHARDS}
  shard=$((JOB_COMPLETION_INDEX + 1))
else
  echo "shard.sh: neither SLURM_ARRAY_TASK_ID nor JOB_COMPLETION_INDEX is set; a scheduler starts this script" >&2
  exit 2
fi

mkdir -p "${BENCHMARK:?Say where the shards go: BENCHMARK}"
# The program may be several words, e.g. "node /app/out/main/cli.js".
exec ${MASKSCOPE:-maskscope} benchmark "$@" --shard "$shard/$shards" --out "$BENCHMARK/shard-$shard"
