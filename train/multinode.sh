#!/usr/bin/env bash
# Start this node's share of one training run. Run it on every node, in the repository, with the same arguments:
#
#     NNODES=2 NODE_RANK=0 MASTER_ADDR=node0 MASTER_PORT=29500 PROCS_PER_NODE=8 train/multinode.sh \
#         ds_configs/accelerate_zero3.yaml --mode lr --model_name_or_path ORG/NAME --output_dir runs/lr
#
# The first argument is accelerate's configuration, the others are those of train/sft.py. NODE_RANK counts from 0;
# MASTER_ADDR is node 0 as the others reach it. What is not set is taken from SLURM: see train/slurm.sbatch.
# All nodes must share --output_dir: node 0 writes the model there, but each node its own part of a checkpoint.
set -euo pipefail

fail() {
  echo "multinode.sh: $1" >&2
  exit 2
}

# Refused rather than cured by a cd, which would change what relative paths among the arguments mean.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
[[ . -ef $root ]] || fail "start it in $root, from where the paths in ds_configs count."
[[ -f ${1-} ]] || fail "the first argument must be a file such as ds_configs/accelerate_zero3.yaml, not '${1-}'."

if [[ -z ${MASTER_ADDR-} && -n ${SLURM_JOB_NODELIST-} ]]; then
  hosts=$(scontrol show hostnames "$SLURM_JOB_NODELIST") || fail "MASTER_ADDR is not set, and scontrol has failed."
  MASTER_ADDR=${hosts%%$'\n'*}
fi
if [[ -z ${MASTER_PORT-} && -n ${SLURM_JOB_ID-} ]]; then # another for each job, below those the system hands out
  MASTER_PORT=$((20000 + SLURM_JOB_ID % 10000))
fi
: "${NNODES:=${SLURM_NNODES-}}" "${NODE_RANK:=${SLURM_NODEID-}}" "${PROCS_PER_NODE:=${SLURM_GPUS_ON_NODE-}}"
for name in NNODES NODE_RANK MASTER_ADDR MASTER_PORT PROCS_PER_NODE; do
  [[ -n ${!name-} ]] || fail "$name is not set, and SLURM does not tell it."
  [[ $name == MASTER_ADDR || ${!name} =~ ^[0-9]+$ ]] || fail "$name must be a number, not '${!name}'."
done
# Counted from 1, all nodes would wait ten minutes for a node 0.
((NODE_RANK < NNODES)) || fail "NODE_RANK is $NODE_RANK, but $NNODES nodes are counted from 0 to $((NNODES - 1))."

PATH=$PATH:$root/.venv/bin # behind an active environment; over ssh there is none
command -v accelerate > /dev/null || fail "accelerate is not found: activate the environment of dfar-bench[train]."
# With the static rendezvous the first process, which writes the model, is node 0's; c10d would not promise that.
exec accelerate launch --config_file "$1" --num_machines "$NNODES" --machine_rank "$NODE_RANK" \
  --num_processes $((NNODES * PROCS_PER_NODE)) --main_process_ip "$MASTER_ADDR" --main_process_port "$MASTER_PORT" \
  --rdzv_backend static train/sft.py "${@:2}"
