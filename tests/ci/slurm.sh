#!/usr/bin/env bash
# A SLURM of one node on this machine, for tests: `slurm.sh start FOLDER`, `slurm.sh stop FOLDER`. Needs Debian's
# slurm-wlm (apt-get install slurm-wlm) and no rights: without munge, without accounting, on ports of its own, all its
# files in FOLDER. Commands find it through SLURM_CONF=FOLDER/slurm.conf. Jobs are forgotten after two seconds, the least
# that SLURM allows: so whoever follows them by what SLURM remembers is found out.
set -euo pipefail
folder=$(mkdir -p "$2" && cd "$2" && pwd)
export SLURM_CONF=$folder/slurm.conf

start() {
  local port=$((20000 + RANDOM % 10000))
  mkdir -p "$folder/state" "$folder/spool"
  cat >"$SLURM_CONF" <<CONF
ClusterName=test
SlurmctldHost=localhost
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
SlurmctldPort=$port
SlurmdPort=$((port + 1))
AuthType=auth/none
CredType=cred/none
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
GresTypes=gpu
MinJobAge=2
KillWait=1
ReturnToService=2
SlurmdParameters=config_overrides
SchedulerParameters=sched_min_interval=0,batch_sched_delay=0
NodeName=localhost NodeAddr=127.0.0.1 CPUs=4 RealMemory=1000 Gres=gpu:2
PartitionName=test Nodes=ALL Default=YES MaxTime=60 State=UP
CONF
  printf 'NodeName=localhost Name=gpu File=/dev/%s\n' null zero >"$folder/gres.conf"
  slurmctld -c -f "$SLURM_CONF"
  slurmd -N localhost -f "$SLURM_CONF"
  for _ in $(seq 450); do
    if sinfo --noheader --format=%T 2>/dev/null | grep -qE "idle|mixed|allocated"; then return; fi
    sleep 0.1
  done
  echo "SLURM's node does not come up; see $folder/slurmd.log and slurmctld.log" >&2
  exit 1
}

stop() {
  scancel --quiet --user="$(id -un)" || true
  for _ in $(seq 100); do
    if [ -z "$(squeue --noheader 2>/dev/null)" ]; then break; fi
    sleep 0.1
  done
  for daemon in slurmd slurmctld; do
    if [ -f "$folder/$daemon.pid" ]; then kill "$(cat "$folder/$daemon.pid")" || true; fi
  done
}

"$1"
