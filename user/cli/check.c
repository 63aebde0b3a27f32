/* SPDX-License-Identifier: BSD-2-Clause */
/* bindwatch check: whether the policy is what it is meant to be. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/visible.h"
#include "user/cli/cli.h"
#include "user/cli/policy_option.h"
#include "user/cli/registry_option.h"
#include "user/encode/json.h"

struct options {
	const char *registry, *services;
	struct cli_policy_paths policy;
	bool json;
};

/* What was found. */
struct result {
	struct policy_problems problems;
	size_t files, rules; /* 0 where there are errors */
};

static int help(void)
{
	(void)puts(
	        "Usage: bindwatch check [OPTION]...\n"
	        "Reads the policy as 'bindwatch watch' does, and tells every error in it with file and line; and what\n"
	        "is perhaps not meant: a rule that can never match, because one before it matches whatever it does or\n"
	        "because it excludes all that it includes; a program, a user or a group in a file of the site that\n"
	        "does not exist here; files without any rule.\n"
	        "\n"
	        "      --policy=PATH      this file or directory, in place of the vendor's and the site's rules; may\n"
	        "                         be repeated\n"
	        "      --registry=FILE    the registry that service names are looked up in: IANA's CSV\n"
	        "      --services=FILE    names of this site, in the form of /etc/services\n"
	        "  -o, --output=text|json text for a person (the default), or one JSON document\n"
	        "  -h, --help             this text\n"
	        "      --version          the version\n"
	        "\n"
	        "Exit: 0 no error, though there may be warnings; 1 errors; 2 a wrong command line.");
	return fflush(stdout) == 0 ? CLI_OK : CLI_FAILURE;
}

/* -1: go on; else what the program returns. */
static int options_parse(int argc, char **argv, struct options *options)
{
	static const struct option longs[] = {
	        {"policy", required_argument, NULL, 'y'},
	        {"registry", required_argument, NULL, 'r'},
	        {"services", required_argument, NULL, 's'},
	        {"output", required_argument, NULL, 'o'},
	        {"help", no_argument, NULL, 'h'},
	        {"version", no_argument, NULL, 'V'},
	        {NULL, 0, NULL, 0},
	};
	int option, r;

	*options = (struct options){0};
	opterr = 0;
	optind = 0;
	while ((option = getopt_long(argc, argv, ":o:h", longs, NULL)) != -1) {
		switch (option) {
		case 'y':
			r = cli_policy_add("check", "policy", optarg, &options->policy);
			if (r)
				return r;
			break;
		case 'r':
			options->registry = optarg;
			break;
		case 's':
			options->services = optarg;
			break;
		case 'o':
			options->json = strcmp(optarg, "json") == 0;
			if (!options->json && strcmp(optarg, "text") != 0)
				return cli_usage("check", "--output: '%s' is not text or json", optarg);
			break;
		case 'h':
			return help();
		case 'V':
			return cli_version();
		default:
			return cli_bad_option("check", option, argv);
		}
	}
	if (optind < argc)
		return cli_usage("check", "'%s' is one word too many: to check this file, --policy=%s", argv[optind],
		                 argv[optind]);
	return -1;
}

/* A file may have any name. */
static void print_visible(const char *text)
{
	size_t len = strlen(text);

	while (len) {
		char form[VISIBLE_MAX];
		size_t taken, size = visible_next(text, len, 0, form, &taken);

		(void)fwrite(form, 1, size, stdout);
		text += taken;
		len -= taken;
	}
}

static void print_count(size_t count, const char *one, const char *many)
{
	(void)printf("%zu %s", count, count == 1 ? one : many);
}

static int write_text(const struct result *result)
{
	const struct policy_problems *problems = &result->problems;

	for (size_t i = 0; i < problems->count; i++) {
		const struct policy_problem *problem = &problems->list[i];

		if (problem->file)
			print_visible(problem->file);
		if (problem->line)
			(void)printf(":%u", problem->line);
		(void)printf(": %s: %s\n", problem->warning ? "warning" : "error", problem->text);
	}
	if (problems->errors + problems->warnings > problems->count)
		(void)printf("and %zu more\n", problems->errors + problems->warnings - problems->count);
	if (problems->errors) {
		print_count(problems->errors, "error", "errors");
	} else {
		print_count(result->rules, "rule", "rules");
		(void)fputs(" of ", stdout);
		print_count(result->files, "file", "files");
		(void)fputs(": no error", stdout);
	}
	if (problems->warnings) {
		(void)fputs(", ", stdout);
		print_count(problems->warnings, "warning", "warnings");
	}
	(void)putchar('\n');
	return fflush(stdout) == 0 ? 0 : -errno;
}

static void json_member_u64(struct json *json, const char *key, uint64_t value)
{
	json_key(json, key);
	json_u64(json, value);
}

static void write_problem(struct json *json, const struct policy_problem *problem)
{
	json_object_begin(json);
	json_key(json, "severity");
	json_text(json, problem->warning ? "warning" : "error");
	if (problem->file) {
		json_key(json, "file");
		json_hostile_string(json, problem->file, strlen(problem->file));
	}
	if (problem->line)
		json_member_u64(json, "line", problem->line);
	json_key(json, "message");
	json_text(json, problem->text);
	json_object_end(json);
}

static int write_document(const struct result *result, struct encode_buffer *buffer)
{
	struct json json;

	json_begin(&json, buffer);
	json_object_begin(&json);
	json_member_u64(&json, "files", result->files);
	json_member_u64(&json, "rules", result->rules);
	json_member_u64(&json, "errors", result->problems.errors);
	json_member_u64(&json, "warnings", result->problems.warnings);
	json_key(&json, "problems");
	json_array_begin(&json);
	for (size_t i = 0; i < result->problems.count; i++)
		write_problem(&json, &result->problems.list[i]);
	json_array_end(&json);
	json_object_end(&json);
	json_line_end(&json);
	return json_end(&json);
}

static int write_json(const struct result *result)
{
	/* a path has 4096 bytes, each of them four as JSON, and a message few hundred */
	struct encode_buffer buffer = {.size = (result->problems.count + 1) * 32768};
	int r;

	buffer.data = malloc(buffer.size);
	r = buffer.data ? write_document(result, &buffer) : -ENOMEM;
	if (r == 0 && (fwrite(buffer.data, 1, buffer.used, stdout) != buffer.used || fflush(stdout) != 0))
		r = -errno;
	free(buffer.data);
	return r;
}

/* 0; -EINVAL: there are errors; -ENOMEM. */
static int find_problems(const struct options *options, const struct registry *registry, struct result *result)
{
	struct policy_options policy_options = {
	        .registry = registry, .paths = options->policy.list, .paths_count = options->policy.count};
	struct policy *policy;
	int r;

	cli_host_namespaces(policy_options.host);
	r = policy_load(&policy_options, &policy, &result->problems);
	if (r < 0)
		return r;
	r = policy_check(policy, &result->problems);
	result->files = policy_files(policy);
	result->rules = policy_rules(policy);
	policy_free(policy);
	return r;
}

int cli_check(int argc, char **argv)
{
	struct result result = {.files = 0};
	struct registry *registry;
	struct options options;
	int r = options_parse(argc, argv, &options), error;

	if (r >= 0)
		return r;
	r = cli_registry_open("check", options.registry, options.services, &registry);
	if (r)
		return r;
	r = find_problems(&options, registry, &result);
	if (r == -ENOMEM) {
		r = cli_error("check: out of memory");
	} else {
		error = options.json ? write_json(&result) : write_text(&result);
		r = error   ? cli_error("check: cannot write the answer: %s", strerror(-error))
		    : r < 0 ? CLI_FAILURE
		            : CLI_OK;
	}
	policy_problems_free(&result.problems);
	registry_free(registry);
	return r;
}
