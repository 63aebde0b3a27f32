/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/cli/registry_option.h"

#include <string.h>

#include "user/cli/cli.h"

int cli_registry_open(const char *command, const char *file, const char *services, struct registry **ret)
{
	char error[REGISTRY_ERROR_LEN];
	struct registry *registry;
	int err;

	if (file) {
		err = registry_open_file(file, &registry, error);
		if (err)
			return cli_error("%s: %s", command, error);
	} else {
		err = registry_open_embedded(&registry);
		if (err)
			return cli_error("%s: the registry: %s", command, strerror(-err));
	}
	if (services && registry_overlay_services(registry, services, error)) {
		registry_free(registry);
		return cli_error("%s: %s", command, error);
	}
	*ret = registry;
	return CLI_OK;
}
