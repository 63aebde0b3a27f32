# SPDX-License-Identifier: BSD-2-Clause
# The facts of results.awk as one table, case by kernel and plan. Files: the rows, what was not run, the facts
# (see tests/vm/run). Exit: 0 something passed and nothing failed, 1 otherwise.
BEGIN {
	FS = "|"
	WIDTH = 150
	NAMES = 46
	short["trampoline"] = "tramp"
	short["kprobe"] = "kprob"
	short["tracepoint"] = "trace"
	short["auto"] = "auto"
}
FNR == 1 { file = FILENAME; sub(/.*\//, "", file) }
file == "rows" {
	row = $1
	rows[++row_count] = row
	head[row] = $2
	plan_count[row] = split($3, words, " ")
	for (i in words)
		plans[row, i] = words[i]
	must[row] = " " $4 " "
	found[row] = $5
	part_of[row] = $6 == "" ? "" : " " $6 " "
	next
}
file == "not-run" {
	rows[++row_count] = $1
	head[$1] = $2
	part_of[$1] = $3 == "" ? "" : " " $3 " "
	not_run[$1] = $4
	next
}
/^#/ { print substr($0, 2); next }
{
	key = $3 "|" $4
	if ($4 == "plan") {
		judge_plan($1, $2, $5, $6)
		next
	}
	if ($3 == "-") {
		failures++
		alone[++alone_count] = $1 ": " $4 ": " $6
		next
	}
	if ($5 == "once") {
		once[$1, $2, $3] = $6
		once_count++
		next
	}
	if (!(key in known)) {
		known[key] = 1
		cases[++case_count] = key
	}
	result[$1, $2, key] = $5
	reason[$1, $2, key] = $6
}

# A plan is taken, or refused in one sentence where that is right, or this is a failure.
function judge_plan(row, plan, what, why, good) {
	key = "-|plan"
	plan_state[row, plan] = what
	if (what == "taken")
		good = plan != "auto" ? why == plan : found[row] == why || found[row] == "any"
	else if (what == "refused")
		good = plan != "auto" ? index(must[row], " " plan " ") == 0 : found[row] == "none" || found[row] == "any"
	refusal[row, plan] = what == "refused" ? "plan refused: " short_reason(why) : ""
	result[row, plan, key] = good ? (what == "refused" ? "skip" : "pass") : "fail"
	reason[row, plan, key] = refusal[row, plan]
	if (!good)
		printf "--- %s, plan %s: %s: %s%s\n", row, plan, what, why,
			plan == "auto" ? " (expected: " found[row] ")" : ""
}

function short_reason(why) {
	sub(/^bindwatch( watch)?: /, "", why)
	return substr(why, 1, 400)
}

function note(why) {
	if (!(why in note_number)) {
		note_number[why] = ++notes
		note_text[notes] = why
	}
	return "-" note_number[why]
}

# Of a program that is run under another plan: "=" only where the case passed there; why not, otherwise.
function cell_elsewhere(row, plan, key) {
	if (!((row, plan, key) in result))
		return cell(row, plan, key)
	if (result[row, plan, key] == "pass")
		return "="
	if (result[row, plan, key] == "fail")
		return skipped(note("not run: it failed under plan " plan))
	return skipped(note(reason[row, plan, key]))
}

# the text of a cell, counted
function cell(row, plan, key, program) {
	if (row in not_run)
		return skipped(note("not run: " not_run[row]))
	if ((row, plan, key) in result) {
		if (result[row, plan, key] == "pass") {
			passes++
			return "pass"
		}
		if (result[row, plan, key] == "fail") {
			failures++
			return "FAIL"
		}
		return skipped(note(reason[row, plan, key]))
	}
	if (refusal[row, plan] != "")
		return skipped(note(refusal[row, plan]))
	if (plan_state[row, plan] == "")
		return skipped(note("not run: the guest did not come so far"))
	if (plan_state[row, plan] != "taken")
		return skipped(note("not run: there is nothing to test"))
	program = substr(key, 1, index(key, "|") - 1)
	if ((row, plan, program) in once)
		return cell_elsewhere(row, once[row, plan, program], key)
	if ((row, plan, program) in ran)
		return skipped(note("not run: the program ended before"))
	return skipped(note("not run: the program was not started"))
}

function skipped(text) {
	skips++
	return text
}

function pad(text, width) {
	return sprintf("%-" width "s", text)
}

function width_of(row, columns, width) {
	columns = row in not_run ? 1 : plan_count[row]
	width = columns * 6 + 1
	return width > length(head[row]) + 2 ? width : length(head[row]) + 2
}

# Is the case among those that are run here? part: "", all; or " PROGRAM PROGRAM:GROUP,GROUP "
function is_part(part, program, key, groups, group) {
	if (part == "" || index(part, " " program " "))
		return 1
	if (!index(part, " " program ":"))
		return 0
	groups = substr(part, index(part, " " program ":") + length(program) + 2)
	sub(/ .*/, "", groups)
	group = substr(key, length(program) + 2)
	# what is of no group is of the whole program
	return !sub(/\/.*/, "", group) || index("," groups ",", "," group ",")
}

# rows[from..to] side by side, one line a case
function panel(from, to, r, c, p, row, line, part, program, last) {
	line = pad("", NAMES)
	for (r = from; r <= to; r++)
		line = line "| " pad(head[rows[r]], width_of(rows[r]) - 1)
	print line
	line = pad("plan", NAMES)
	for (r = from; r <= to; r++) {
		row = rows[r]
		part = ""
		for (p = 1; p <= plan_count[row]; p++)
			part = part pad(short[plans[row, p]], 6)
		line = line "| " pad(part, width_of(row) - 1)
	}
	print line
	for (c = 0; c <= case_count; c++) {
		key = c ? cases[c] : "-|plan"
		program = substr(key, 1, index(key, "|") - 1)
		# on hostile ground only some are run
		if (c && !is_part(part_of[rows[from]], program, key))
			continue
		if (c && program != last)
			print program
		last = program
		line = pad((c ? "  " substr(key, index(key, "|") + 1) : "is taken"), NAMES)
		for (r = from; r <= to; r++) {
			row = rows[r]
			part = row in not_run ? cell(row, "-", key) : ""
			for (p = 1; p <= plan_count[row]; p++)
				part = part pad(cell(row, plans[row, p], key), 6)
			line = line "| " pad(part, width_of(row) - 1)
		}
		sub(/ +$/, "", line)
		print line
	}
	print ""
}

END {
	for (key in result) {
		split(key, part, SUBSEP)
		ran[part[1], part[2], substr(part[3], 1, index(part[3], "|") - 1)] = 1
	}
	print ""
	for (from = 1; from <= row_count; from = to + 1) {
		used = NAMES
		for (to = from; to <= row_count && used + width_of(rows[to]) + 1 <= WIDTH; to++) {
			if (part_of[rows[to]] != part_of[rows[from]])
				break
			used += width_of(rows[to]) + 1
		}
		to--
		panel(from, to)
	}
	if (once_count)
		print "  =   does not change with the plan: passed under another plan of this kernel"
	for (i = 1; i <= notes; i++)
		printf "  -%d  %s\n", i, note_text[i]
	for (i = 1; i <= alone_count; i++)
		print "  FAIL  " alone[i]
	printf "vm: %d passed, %d failed, %d skipped\n", passes, failures, skips
	exit !(passes > 0 && failures == 0)
}
