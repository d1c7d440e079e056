#!/bin/sh
# Runs the embedded Postgres for as long as somebody uses it.
#
#   guard.sh RUN_DIR READY_FILE POSTGRES ARGUMENT... <RUN_DIR/users
#
# Every kmswatch process that uses the server holds the named pipe RUN_DIR/users open for writing. The kernel closes it for
# a process that ends, however it ends, and gives us end-of-file when the last one is gone: then the server is stopped,
# fast and clean. A process that joins writes its id into the pipe and waits until we have answered with the
# file RUN_DIR/ID, so nobody can join a server that is about to stop.
#
# A server that dies although it is in use is started again. One that never came up (no READY_FILE) is not.
run=$1
ready=$2
shift 2

(
  postmaster=
  stopping=
  halting=
  # Said again each second until it is heard: Postgres is deaf in its first moments.
  halt() {
    stopping=1
    (while kill -INT "$postmaster"; do sleep 1; done) 2>/dev/null &
    halting=$!
  }
  trap halt TERM
  failures=0
  while [ -z "$stopping" ]; do
    started=$(date +%s)
    "$@" &
    postmaster=$!
    [ -z "$stopping" ] || halt
    while kill -0 "$postmaster" 2>/dev/null; do wait "$postmaster"; done
    [ -z "$stopping" ] || break
    [ -e "$ready" ] || break
    [ $(($(date +%s) - started)) -lt 60 ] || failures=0
    failures=$((failures + 1))
    [ "$failures" -lt 20 ] || break
    sleep 1
  done
  if [ -n "$halting" ]; then
    kill -TERM "$halting"
    exit 0
  fi
  # Given up: end the reader below as well, which closes the pipe and so tells everybody.
  kill -TERM $$
) </dev/null &
supervisor=$!

while IFS= read -r id; do : >"$run/$id"; done
exec </dev/null

kill -TERM "$supervisor" 2>/dev/null
wait "$supervisor"
