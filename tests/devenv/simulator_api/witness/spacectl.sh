#!/bin/sh
# Drives Spacelift's own command line client. SPACECTL names the executable, SIM the simulator's URL;
# the account has the stacks a and b, b depends on a, and a key with the secret s3cret.
set -eu

export SPACELIFT_API_KEY_ENDPOINT="$SIM" SPACELIFT_API_KEY_ID="$SIM_KEY_ID" SPACELIFT_API_KEY_SECRET=s3cret
export SPACELIFT_API_PREFERRED_METHOD=apikey NO_COLOR=1
unset SPACELIFT_API_TOKEN SPACELIFT_API_GITHUB_TOKEN SPACELIFT_API_ENDPOINT

sc() { timeout 60 "$SPACECTL" "$@" </dev/null; }
json() { python3 -c "import json, sys; data = json.load(sys.stdin); assert $1, data"; }

sc version 2>/dev/null | grep -q 'Spacelift version: SaaS'
sc whoami | json 'data["id"]'
sc stack list -o json | json '{s["id"] for s in data} >= {"a", "b"}'
sc stack dependencies off --id a -o json | json '[d["stack"]["id"] for d in data] == ["b"]'

sc stack deploy --id a --auto-confirm --run-metadata chain=demo >deploy.log
grep -q '^FINISHED' deploy.log
run=$(sed -n 's#.*/run/\([0-9A-Z]*\)$#\1#p' deploy.log | head -1)
sc stack run list --id a -o json | grep -q "\"$run\""
sc stack logs --id a --run "$run" >/dev/null

sc stack lock --id b && sc stack unlock --id b
if sc stack deploy --id does-not-exist; then exit 1; fi
if SPACELIFT_API_KEY_SECRET=bad sc whoami; then exit 1; fi
echo ALL OK
