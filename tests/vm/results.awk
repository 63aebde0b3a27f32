# SPDX-License-Identifier: BSD-2-Clause
# What one guest said, as facts, one a line: ROW|PLAN|PROGRAM|CASE|RESULT|REASON. RESULT: pass, fail or skip; of the case
# "plan" what became of it: taken, refused, silent, unsaid, broken; of "*" once. The output around a failure is printed, as "#"
# lines, for table.awk to show. Variable: row.

function fact(program, name, result, reason) {
	gsub(/\|/, "/", reason)
	printf "%s|%s|%s|%s|%s|%s\n", row, plan, program, name, result, reason
}

function fail(program, name, reason) {
	fact(program, name, "fail", reason)
	printf "#--- %s, plan %s, %s, %s: %s\n", row, plan, program, name, reason
	for (i = 1; i <= held; i++)
		printf "#%s\n", substr(text[i], 1, 700)
}

# what the one before this one left open: it never came to an end
function close_program(code) {
	if (running != "")
		fail(program, running, "ended by itself (exit code " code ")")
	else if (code != 0 && !failed)
		fail(program, "(exit code)", "exit code " code " and no failed test")
	running = ""
}

# the line that says it, or the last one before
function skip_reason() {
	if (reason == "" && held > 0)
		reason = text[held]
	return reason == "" ? "skipped without a reason" : reason
}

function hold(line) {
	if (held < 80)
		text[++held] = line
}

$1 == "@vm" && $2 == "boot" { next }
$1 == "@vm" && $2 == "failed" { plan = "-"; sub(/^@vm failed /, ""); fail("-", "ground", $0); next }
$1 == "@vm" && $2 == "plan" {
	plan = $3
	held = 0
	why = $0
	sub(/^@vm plan [^ ]+ [^ ]+ ?/, "", why)
	fact("-", "plan", $4, why)
	next
}
$1 == "@vm" && $2 == "program" { program = $3; failed = 0; over = 0; held = 0; running = ""; reason = ""; next }
$1 == "@vm" && $2 == "once" { fact($3, "*", "once", $4); next }
$1 == "@vm" && $2 == "code" {
	close_program($3 + 0)
	if ($4 > 15)
		printf "#tests/vm/run: %s, plan %s: %s took %d s\n", row, plan, program, $4
	next
}
$1 == "@vm" && $2 == "end" { ended = 1; next }
/^skipped: / { reason = $0; sub(/^skipped: /, "", reason) }
# cmocka tells the failed and the skipped once more behind this
/^\[=+\] .*test\(s\) run/ { over = 1 }
over { next }
/^\[ RUN      \] / { running = $4; held = 0; reason = ""; next }
/^\[       OK \] / { fact(program, $4, "pass", ""); running = ""; next }
/^\[  SKIPPED \] / { fact(program, $4, "skip", skip_reason()); running = ""; next }
/^\[  FAILED  \] / {
	name = $0
	sub(/^\[  FAILED  \] /, "", name)
	failed = 1
	running = ""
	fail(program, name, "see above")
	next
}
{ hold($0) }
END {
	if (!ended) {
		if (running != "")
			fail(program, running, "the guest did not survive it")
		plan = "-"
		fail("-", "guest", "did not come to its end")
	}
}
