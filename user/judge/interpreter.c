/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/judge/interpreter.h"

#include <stddef.h>
#include <string.h>

#include "user/judge/glob.h"

/* clang-format off */
const char *const interpreter_names[] = {
	"python", "python[23]*", "pypy*", "platform-python*", "perl", "perl[0-9]*", "ruby", "ruby[0-9]*",
	"php", "php[0-9]*", "node", "nodejs", "deno", "bun", "lua", "lua[0-9]*", "luajit*", "tclsh*", "wish*",
	"expect", "awk", "gawk", "mawk", "nawk", "original-awk", "guile*", "R", "Rscript", "julia",
	"sh", "bash", "bash-static", "rbash", "dash", "ash", "zsh", "zsh[0-9]*", "zsh-static", "ksh", "ksh[0-9]*",
	"mksh", "mksh-static", "lksh", "yash", "fish", "csh", "bsd-csh", "tcsh", "pwsh",
	/* virtual machines, and what runs the programs of another system */
	"java", "jjs", "jshell", "beam.smp", "dotnet", "mono*", "wine*", "qemu-*-static",
	/* a program that is started through its loader or a debugger has that one's path */
	"ld-linux*", "ld-musl*", "ld64.so*", "ld-[0-9]*.so", "gdb*",
	NULL,
};

const char *const network_tool_names[] = {
	"nc", "nc.*", "netcat", "ncat", "socat*", "busybox", "toybox", "chisel", "gost", "frps",
	NULL,
};
/* clang-format on */

static bool is_one_of(const char *const *names, const char *name)
{
	size_t len = strlen(name);

	while (*names && !glob_match(*names, name, len, 0))
		names++;
	return *names != NULL;
}

bool interpreter_is_at(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	return is_one_of(interpreter_names, name) || is_one_of(network_tool_names, name);
}
