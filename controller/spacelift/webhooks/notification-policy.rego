# Tells StackChain that a run of a stack went on, so that it looks at once instead of at its next
# poll. It is a wake-up only: StackChain reads the run from Spacelift, and a notification that is
# lost costs no more than the wait for the next poll.
#
# Type NOTIFICATION. It acts on the runs of its own space and of the spaces that inherit from it; it
# is attached to nothing. `stackchain webhook setup` registers it together with its webhook.
#
# The imports let it run on both of Spacelift's engines, REGO_V0 and REGO_V1.
package spacelift

import future.keywords.contains
import future.keywords.if
import future.keywords.in

# The id of the named webhook, as the list of webhooks shows it.
endpoint_id := "stackchain"

webhook contains {"endpoint_id": endpoint_id, "payload": payload} if {
	updated := input.run_updated
	not goes_on_unseen(updated)
	not is_drift_plan(updated)
	payload := {
		"account": account_name,
		"stack_id": updated.stack.id,
		"stack_labels": list_of(updated.stack, "labels"),
		"run_id": updated.run.id,
		"type": object.get(updated.run, "type", null),
		"state": state_of(updated),
		"ordinal": count(list_of(updated.run, "states_history")),
		"updated_at_ns": object.get(updated.run, "updated_at", null),
		"metadata": list_of(updated.run, "user_provided_metadata"),
		"triggered_by": object.get(updated.run, "triggered_by", null),
	}
}

# Each of these follows a state in which the run was in progress already, which is all that a chain
# shows of it. Nobody waits for them, and they are half of all changes. What is not listed is sent,
# states that Spacelift may add included.
unseen_states := {
	"APPLYING",
	"DESTROYING",
	"INITIALIZING",
	"PERFORMING",
	"PLANNING",
	"PREPARING_APPLY",
	"PREPARING_REPLAN",
}

# Both must say so: the run may have gone on since the change that the notification is about.
goes_on_unseen(updated) if {
	updated.state in unseen_states
	updated.run.state in unseen_states
}

# The proposed runs of drift detection block nothing, and no chain follows them. A tracked run that
# mends drift is sent.
is_drift_plan(updated) if {
	updated.run.drift_detection == true
	updated.run.type == "PROPOSED"
}

state_of(updated) := updated.run.state if {
	is_string(updated.run.state)
} else := object.get(updated, "state", null)

# Empty where the field is missing or null: published schemas differ on these.
list_of(run, field) := run[field] if {
	is_array(run[field])
} else := []

default account_name := null

account_name := input.account.name
