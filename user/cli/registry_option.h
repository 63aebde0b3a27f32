/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef USER_CLI_REGISTRY_OPTION_H
#define USER_CLI_REGISTRY_OPTION_H

#include "registry/registry.h"

/*
 * The registry that a command's --registry and --services name; NULL: the built-in one, no names of the site's own. A
 * file that is refused ends the command. CLI_OK, and *ret is freed with registry_free(); else what the program returns,
 * said, with the command's name before it.
 */
int cli_registry_open(const char *command, const char *file, const char *services, struct registry **ret);

#endif
