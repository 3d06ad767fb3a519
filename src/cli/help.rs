//! The help texts, with an example for every command.

/// What the program is.
pub(super) const ABOUT: &str =
    "Keeps the containers of a Docker host as a desired-state file says.";

/// What to try first.
pub(super) const EXAMPLES: &str = "\
Examples:
  reconciler diff                          what would change, and why
  reconciler apply                         change it, and wait until it is ready
  reconciler run                           watch the files and keep things that way
  reconciler status --watch                what is ready, what waits for what
  reconciler -f compose.yaml -o json diff  any Compose file; JSON for machines

Options may stand before or after the command. Each can be given by a variable too:
RECONCILER_STATE_DIR is --state-dir. DOCKER_HOST, COMPOSE_PROJECT_NAME and NO_COLOR
count as well. `reconciler COMMAND --help` tells more.

Exit status: 0 as wanted, 1 differs or not ready, 2 invalid file or command line,
3 the engine does not answer, 4 refused because another `run` has the stack.";

/// About `validate`.
pub(super) const VALIDATE: &str = "Check the desired-state files and show every problem";
/// More about `validate`.
pub(super) const VALIDATE_MORE: &str = "\
No engine is needed. Warnings do not make a file invalid.

Examples:
  reconciler validate
  reconciler -f compose.yaml -f compose.prod.yaml validate
  reconciler validate -o json | jq '.problems[] | select(.severity == \"error\")'

Exit status: 0 valid, 2 invalid.";

/// About `backup`.
pub(super) const BACKUP: &str = "Make, list, verify and remove cold backups of the data";
/// More about `backup`.
pub(super) const BACKUP_MORE: &str = "\
`create` stops the stack in reverse order, archives every folder and named volume that it
may write to, starts it again, and then reads the archive back; whatever happens, the stack
comes back. With a running `run` it works through that. `x-reconciler.backup` in the file
says which folders, where archives are kept, which stay, and when `run` makes them by itself.

Examples:
  reconciler backup create --directory /srv/backups
  reconciler backup list
  reconciler backup verify /srv/backups/milvus-20261128T020000Z.tar.zst
  tar --zstd -tvf ARCHIVE        an archive is a tar file

Exit status: 0 done, 1 no backup was made or the archive is not good, 2 invalid file or
command line, 3 the engine does not answer, 4 another `run` has the stack.";

/// About `restore`.
pub(super) const RESTORE: &str = "Exchange the data of a stack for those of an archive";
/// More about `restore`.
pub(super) const RESTORE_MORE: &str = "\
The archive is verified, and taken out beside the data while the stack still runs; then the
stack is stopped, the data are exchanged, and it is started. What was there is kept aside
until the restored stack is ready; if it does not get ready it has its data of before again.
A restore that is cut off is finished or taken back by the next process.

Examples:
  reconciler restore /srv/backups/milvus-20261128T020000Z.tar.zst

Exit status: 0 restored and ready, 1 not restored, 2 invalid file or command line,
3 the engine does not answer, 4 another `run` has the stack.";

/// About `preflight`.
pub(super) const PREFLIGHT: &str =
    "Check whether this host is fit for its stacks, with a fix for each finding";
/// More about `preflight`.
pub(super) const PREFLIGHT_MORE: &str = "\
Reads the engine, /proc, /sys and the disks; changes nothing. Without a desired-state file
only the host is checked; of another host's engine, only what the engine tells.

Examples:
  reconciler preflight
  reconciler preflight -o json | jq -r '.findings[] | .check + \" \" + .fix'

Exit status: 0 pass (warnings do not fail), 1 something will not work, 2 invalid file,
3 the engine does not answer.";

/// About `config`.
pub(super) const CONFIG: &str =
    "Print the canonical stack: merged, interpolated, complete";
/// More about `config`.
pub(super) const CONFIG_MORE: &str = "\
With `-o json` the form is that of `docker compose config --format json`.
The output holds secrets in clear, as the engine would get them.

Examples:
  reconciler config
  reconciler -f compose.yaml config -o json | jq '.services | keys'

Exit status: 0 valid, 2 invalid.";

/// About `diff`.
pub(super) const DIFF: &str =
    "Show what `apply` would change, field by field; change nothing";
/// More about `diff`.
pub(super) const DIFF_MORE: &str = "\
Marks: + create, ~ update in place or restart, -/+ recreate, - remove.

Examples:
  reconciler diff
  reconciler diff -o json | jq -r '.stacks[].changes[] | .object + \" \" + .action'
  reconciler diff > plan.txt || test $? -eq 1

Exit status: 0 in sync, 1 differs, 2 invalid file, 3 the engine does not answer.";

/// About `apply`.
pub(super) const APPLY: &str =
    "Make the engine as the files say, once, and wait until it is ready";
/// More about `apply`.
pub(super) const APPLY_MORE: &str = "\
Volumes are never deleted, and what was not made from these files is never touched.
What is paused is left alone: `reconciler resume` goes on.

Examples:
  reconciler apply
  reconciler apply --timeout 1m30s
  reconciler -f compose.yaml -p shop apply --no-wait

Exit status: 0 ready, 1 not ready in time, 2 invalid file, 3 the engine does not
answer, 4 another `run` has the stack.";

/// About `run`.
pub(super) const RUN: &str =
    "Watch the files and the engine, and keep both the same for ever";
/// More about `run`.
pub(super) const RUN_MORE: &str = "\
A file that is saved is acted on at once; a bad one changes nothing until it is good
again. SIGHUP looks again; SIGTERM ends the operator and leaves containers running.
RECONCILER_LOG filters the log, as in `RECONCILER_LOG=reconciler=debug`.

With --listen it answers over HTTP: /metrics, /livez, /readyz, and /api/v1/ with status, diff,
events and history as JSON. Where other hosts reach it, --listen-token-file is needed.

With --git the files come from a repository. A commit is taken up as a whole or not at all;
when it is not, or git is away, the last good one stays in force and `status` says why.

With --dry-run it looks and tells, and never acts: no step is taken, not even a probe, no
lock on a stack, no control socket, no memory. Another operator may be at work on the same
stacks. With --git the checkout is brought to new commits unless another process does so.

Examples:
  reconciler run
  reconciler run --dry-run --log-format json
  reconciler run --git https://git.example.org/ops.git --path stacks
  reconciler -f /etc/reconciler run --log-format json";

/// About `sync`.
pub(super) const SYNC: &str = "Ask the repository for the newest commit now";
/// More about `sync`.
pub(super) const SYNC_MORE: &str = "\
A running operator does it at once, and acts on what it finds. Where none is running, the
commit is fetched, verified and loaded, and `apply` brings it about. --allow-rewind and
--allow-prune count for this once.

Examples:
  reconciler --git https://git.example.org/ops.git sync
  reconciler sync --allow-rewind

Exit status: 0 the newest commit is in force, 1 it is refused or cannot be had, 2 command
line, 4 another process has the checkout and does not answer.";

/// About `status`.
pub(super) const STATUS: &str =
    "Show stacks, services and conditions, and why something waits";
/// More about `status`.
pub(super) const STATUS_MORE: &str = "\
Examples:
  reconciler status
  reconciler status --watch
  reconciler status -o json | jq '.stacks[] | {name, ready}'

Exit status: 0 all ready, 1 not all, 3 the engine does not answer.";

/// About `events`.
pub(super) const EVENTS: &str = "Show what happened to the stacks, the newest last";
/// More about `events`.
pub(super) const EVENTS_MORE: &str = "\
What happens again within ten minutes is counted: `x3 over 2m`. The last 256 events of a
stack are kept, by the operator or in the state directory.

Examples:
  reconciler events
  reconciler events standalone --watch
  reconciler events -o json | jq '.stacks[].events[] | select(.type == \"Warning\")'

Exit status: 0 shown, 2 invalid file or no such service, 3 the engine does not answer.";

/// About `logs`.
pub(super) const LOGS: &str = "Show what the containers write, interleaved by time";
/// More about `logs`.
pub(super) const LOGS_MORE: &str = "\
After `logs`, -f follows: what containers write that take the place of others, or are started
again, is shown too. Desired-state files are named before it, or by --file. Secrets that the
files know are concealed; on a terminal, so is what could steer it.

Examples:
  reconciler logs --tail 20
  reconciler logs -f etcd standalone
  reconciler -f compose.yaml logs --since 10m -t
  reconciler logs -o json | jq -r 'select(.stream == \"stderr\").message'

Exit status: 0 shown or interrupted, 2 invalid file or no such service, 3 the engine does not
answer.";

/// About `explain`.
pub(super) const EXPLAIN: &str =
    "Show every field of a service: desired, live, default, verdict";
/// More about `explain`.
pub(super) const EXPLAIN_MORE: &str = "\
Examples:
  reconciler explain standalone
  reconciler explain standalone -o json | jq '.fields[] | select(.verdict != \"same\")'";

/// About `retry`.
pub(super) const RETRY: &str = "Try again now what failed, without waiting any longer";
/// More about `retry`.
pub(super) const RETRY_MORE: &str = "\
A running operator tries at once. Without one the backoff is forgotten, and the next
`apply` or `run` begins afresh.

Examples:
  reconciler retry
  reconciler retry standalone

Exit status: 0 done, 2 invalid file or no such service, 3 the engine does not answer.";

/// About `check`.
pub(super) const CHECK: &str = "Make the health checks of the stack, and say what to do";
/// More about `check`.
pub(super) const CHECK_MORE: &str = "\
Checks are declared in `x-reconciler.checks`: see docs/checks.md. Of every stack it is
checked that its containers run and are ready, that the disks of its data are not too full,
that containers stay below their memory limits, and that images are not too old. No `run`
is needed; where one is, it makes the same checks again and again, and `status` has them.

Examples:
  reconciler check
  reconciler check s3 etcd-alarms
  reconciler check -o json | jq -r '.stacks[].checks[] | select(.result == \"fail\").next'

Exit status: 0 nothing fails, 1 something does (with --strict: warns, or is not known),
2 invalid file or no such check, 3 the engine does not answer.";

/// About `history`.
pub(super) const HISTORY: &str =
    "Show the revisions of the stacks: what was wanted, and what came of it";
/// More about `history`.
pub(super) const HISTORY_MORE: &str = "\
A revision is what the files were, with those of variables, when `apply` or `run` took
them up: not interpolated, in the state directory, for its owner alone. The last 20 of a
stack are kept. No engine is needed.

TOOK is how long it took until that came of it; CHANGES how many objects were to be made
(+), changed (~) and removed (-) when it was taken up.

Examples:
  reconciler history
  reconciler history -o json | jq -r '.stacks[].revisions[] | select(.current).revision'";

/// About `rollback`.
pub(super) const ROLLBACK: &str =
    "Go back to an earlier revision, until the files change";
/// More about `rollback`.
pub(super) const ROLLBACK_MORE: &str = "\
A revision is named by its first digits, or by those of its commit. Without one it is the
last one before the current one that converged. It is pinned: `run` and `apply` keep to it
whatever the files say, until the files change or `reconciler resume`. Data is not rolled
back. Variables of the environment are today's.

Examples:
  reconciler rollback
  reconciler rollback 1f0c

Exit status: 0 ready, 1 not ready in time, 2 no such revision, 3 the engine does not
answer, 4 another `run` has the stack.";

/// About `pause`.
pub(super) const PAUSE: &str =
    "Leave a stack or a service alone for a while; go on telling what differs";
/// More about `pause`.
pub(super) const PAUSE_MORE: &str = "\
Nothing is made, changed, restarted or removed while it lasts, neither by `run` nor by
`apply`: a change that is half done stays half done. Docker's own restart policy goes
on. `status` and `diff` tell what differs, and that it is paused.

Examples:
  reconciler pause
  reconciler pause standalone --for 2h

Exit status: 0 paused, 2 invalid file or no such service, 3 the engine does not answer.";

/// About `resume`.
pub(super) const RESUME: &str =
    "Go on with what `pause` left alone, and with the files after `rollback`";
/// More about `resume`.
pub(super) const RESUME_MORE: &str = "\
Without a name every pause ends, and a pinned revision is wanted no longer: the files
count again. A running operator goes on at once.

Examples:
  reconciler resume
  reconciler resume standalone

Exit status: 0 it goes on, 1 nothing was paused or pinned, 2 invalid file or no such service, 3 the
engine does not answer.";

/// About `restart`.
pub(super) const RESTART: &str =
    "Restart a service, one replica at a time, and wait until it is ready";
/// More about `restart`.
pub(super) const RESTART_MORE: &str = "\
The next replica is stopped when the one before it is ready again. A job that has run to
its end runs again. Without a running operator nothing but this service is touched; what
the file changes about it is done at the same time.

Examples:
  reconciler restart standalone
  reconciler restart web --timeout 2m

Exit status: 0 restarted and ready, 1 not in time, or it waits for something, 2 invalid
file or no such service, 3 the engine does not answer, 4 another `run` has the stack.";

/// About `wait`.
pub(super) const WAIT: &str = "Wait until the stacks are ready; change nothing";
/// More about `wait`.
pub(super) const WAIT_MORE: &str = "\
Examples:
  reconciler wait
  reconciler wait --for=ready --timeout 5m && ./smoke-test

Exit status: 0 ready, 1 not ready in time, 2 invalid file, 3 the engine does not
answer.";

/// About `delete`.
pub(super) const DELETE: &str =
    "Take the stack down, in reverse order of its dependencies";
/// More about `delete`.
pub(super) const DELETE_MORE: &str = "\
Volumes stay unless `--volumes` is given; that has to be confirmed by typing the name
of the stack, or by `--yes`.

Examples:
  reconciler delete
  reconciler delete --volumes --yes";

/// About `completions`.
pub(super) const COMPLETIONS: &str =
    "Print a script that teaches a shell the commands and options";
/// More about `completions`.
pub(super) const COMPLETIONS_MORE: &str = "\
Examples:
  reconciler completions bash > /etc/bash_completion.d/reconciler
  source <(reconciler completions zsh)";
