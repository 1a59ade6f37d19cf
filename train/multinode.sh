#!/usr/bin/env bash
# Start this node's share of one training run. Run it on every node, in the repository, with the same arguments:
#
#     NNODES=2 NODE_RANK=0 MASTER_ADDR=node0 MASTER_PORT=29500 PROCS_PER_NODE=8 train/multinode.sh \
#         ds_configs/accelerate_zero3.yaml --mode lr --model_name_or_path ORG/NAME --output_dir runs/lr
#
# The first argument is accelerate's configuration; the others are options of train/sft.py. NODE_RANK counts from 0.
# MASTER_ADDR is the address of node 0. Variables that are not set are taken from SLURM: see train/slurm.sbatch.
# All nodes must share --output_dir: node 0 writes the model, and each node its own part of a checkpoint.
set -euo pipefail

fail() {
  echo "multinode.sh: $1" >&2
  exit 2
}

# Refused, not corrected by a cd, which would change the meaning of relative paths among the arguments.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
[[ . -ef $root ]] || fail "start it in $root, as paths in ds_configs are relative to it."
[[ -f ${1-} ]] || fail "the first argument must be a file such as ds_configs/accelerate_zero3.yaml, not '${1-}'."

if [[ -z ${MASTER_ADDR-} && -n ${SLURM_JOB_NODELIST-} ]]; then
  hosts=$(scontrol show hostnames "$SLURM_JOB_NODELIST") || fail "MASTER_ADDR is not set, and scontrol fails: set it."
  MASTER_ADDR=${hosts%%$'\n'*}
fi
if [[ -z ${MASTER_PORT-} && -n ${SLURM_JOB_ID-} ]]; then # one per job, below those that the system assigns
  MASTER_PORT=$((20000 + SLURM_JOB_ID % 10000))
fi
: "${NNODES:=${SLURM_NNODES-}}" "${NODE_RANK:=${SLURM_NODEID-}}" "${PROCS_PER_NODE:=${SLURM_GPUS_ON_NODE-}}"
for name in NNODES NODE_RANK MASTER_ADDR MASTER_PORT PROCS_PER_NODE; do
  [[ -n ${!name-} ]] || fail "$name is not set, neither by you nor by SLURM: set it."
  [[ $name == MASTER_ADDR || ${!name} =~ ^[0-9]+$ ]] || fail "$name must be a number, not '${!name}'."
done
# If ranks counted from 1, all nodes would wait ten minutes for node 0.
((NODE_RANK < NNODES)) || fail "NODE_RANK is $NODE_RANK, but must be 0 to $((NNODES - 1)): count nodes from 0."

PATH=$PATH:$root/.venv/bin # after an active environment; over ssh there is none
command -v accelerate > /dev/null || fail "accelerate is not found: activate the environment with dfar-bench[train]."
# With the static rendezvous, the process that writes the model is on node 0; c10d does not guarantee that.
exec accelerate launch --config_file "$1" --num_machines "$NNODES" --machine_rank "$NODE_RANK" \
  --num_processes $((NNODES * PROCS_PER_NODE)) --main_process_ip "$MASTER_ADDR" --main_process_port "$MASTER_PORT" \
  --rdzv_backend static train/sft.py "${@:2}"
