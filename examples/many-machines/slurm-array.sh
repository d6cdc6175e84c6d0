#!/bin/bash
# A file of questions, answered in 8 parts by an array of jobs:
#   sbatch examples/many-machines/slurm-array.sh
# Sent again, it goes on where the outputs end. Afterwards:
#   chatglm merge-shards part-*.jsonl --input questions.jsonl --output answers.jsonl
#SBATCH --job-name=chatglm-generate
#SBATCH --array=0-7
#SBATCH --gres=gpu:1
#SBATCH --requeue
set -euo pipefail
exec chatglm generate "${MODEL:-models/chatglm3-6b-int4}" --shard "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT" \
  --seed 1 --batch 32 --resume --input questions.jsonl --output "part-$SLURM_ARRAY_TASK_ID.jsonl"
