/* SPDX-License-Identifier: BSD-2-Clause */
/* What rows of the official shape say, and the traps among them, on rows of the tests' own. */
#include "tests/unit/registry/fixture.h"

/* A row that says the same of names, state and title for each pair that the test asks. */
struct expected {
	uint16_t port;
	enum registry_transport transport;
	enum registry_state state;
	const char *names, *title;
};

static void expect(const char *rows, const struct expected *table, size_t count)
{
	struct registry *registry = fixture_registry(rows);

	for (size_t i = 0; i < count; i++) {
		const struct registry_entry *entry = registry_lookup(registry, table[i].port, table[i].transport);

		if (entry->state != table[i].state || strcmp(entry->title, table[i].title) != 0)
			fail_msg("%u/%s is %s \"%s\", wanted %s \"%s\"", table[i].port,
				 registry_transport_name(table[i].transport),
				 registry_state_name((enum registry_state)entry->state), entry->title,
				 registry_state_name(table[i].state), table[i].title);
		assert_true(fixture_names(entry, table[i].names));
	}
	registry_free(registry);
}

#define EXPECT(rows, ...)                                                                                              \
	do {                                                                                                           \
		static const struct expected expected_[] = {__VA_ARGS__};                                              \
		expect(rows, expected_, sizeof(expected_) / sizeof(*expected_));                                       \
	} while (0)

static void quoted_line_feeds_and_doubled_quotes(void **state)
{
	(void)state;
	EXPECT("enc-admin,1138,tcp,\"encrypted admin requests\n      a \"\"well-formed\"\" name for  "
	       "\"\"enc_admin\"\".\",,,,,,,,\"a,\nb\"\r\n",
	       {1138, REGISTRY_TCP, REGISTRY_ASSIGNED, "enc-admin",
		"encrypted admin requests a \"well-formed\" name for \"enc_admin\"."});
}

static void historic_alias_never_first(void **state)
{
	(void)state;
	EXPECT("whois++,63,tcp,whois++,,,,,,,,\"This entry is an alias\n to \"\"whoispp\"\".\"\r\n"
	       "whoispp,63,tcp,The real one,,,,,,,,\r\n",
	       {63, REGISTRY_TCP, REGISTRY_ASSIGNED, "whoispp|whois++", "The real one"});
}

static void several_names_in_the_order_of_the_file(void **state)
{
	(void)state;
	EXPECT("http,80,tcp,World Wide Web HTTP,,,,,,,,\r\nwww,80,tcp,W2,,,,,,,,\r\nwww-http,80,tcp,W3,,,,,,,,\r\n"
	       "shilp,2049,tcp,,,,,,,,,\r\nnfs,2049,tcp,Network File System,,,,,,,,\r\n"
	       "same,90,tcp,One,,,,,,,,\r\nsame,90,tcp,Two,,,,,,,,\r\n",
	       {80, REGISTRY_TCP, REGISTRY_ASSIGNED, "http|www|www-http", "World Wide Web HTTP"},
	       {2049, REGISTRY_TCP, REGISTRY_ASSIGNED, "shilp|nfs", ""},
	       {90, REGISTRY_TCP, REGISTRY_ASSIGNED, "same", "One"});
}

static void rows_without_transport(void **state)
{
	(void)state;
	EXPECT("flex-lm,27000-27009,,FLEX LM (1-10),,,,,,,,\r\n", {26999, REGISTRY_TCP, REGISTRY_UNASSIGNED, "", ""},
	       {27000, REGISTRY_TCP, REGISTRY_ASSIGNED, "flex-lm", "FLEX LM (1-10)"},
	       {27009, REGISTRY_DCCP, REGISTRY_ASSIGNED, "flex-lm", "FLEX LM (1-10)"},
	       {27010, REGISTRY_TCP, REGISTRY_UNASSIGNED, "", ""});
}

static void the_specific_row_wins(void **state)
{
	(void)state;
	/* whichever stands first */
	EXPECT(",7748-7776,,Unassigned,,,,,,,,\r\ninetfs,7775,tcp,A File System,,,,,,,,\r\n"
	       "inetfs2,7875,tcp,A File System,,,,,,,,\r\n,7848-7876,,Reserved,,,,,,,,\r\n"
	       "wide,9000-9009,tcp,Wide,,,,,,,,\r\nnarrow,9003-9004,tcp,Narrow,,,,,,,,\r\n"
	       ",8000,,Reserved,,,,,,,,\r\n,8000,udp,Unassigned,,,,,,,,\r\n",
	       {7775, REGISTRY_TCP, REGISTRY_ASSIGNED, "inetfs", "A File System"},
	       {7775, REGISTRY_UDP, REGISTRY_UNASSIGNED, "", ""},
	       {7875, REGISTRY_TCP, REGISTRY_ASSIGNED, "inetfs2", "A File System"},
	       {7875, REGISTRY_UDP, REGISTRY_RESERVED, "", ""}, {9002, REGISTRY_TCP, REGISTRY_ASSIGNED, "wide", "Wide"},
	       {9003, REGISTRY_TCP, REGISTRY_ASSIGNED, "narrow", "Narrow"},
	       {9005, REGISTRY_TCP, REGISTRY_ASSIGNED, "wide", "Wide"}, {8000, REGISTRY_TCP, REGISTRY_RESERVED, "", ""},
	       {8000, REGISTRY_UDP, REGISTRY_UNASSIGNED, "", ""});
}

static void an_assigned_range_beats_a_narrower_unassigned_one(void **state)
{
	(void)state;
	EXPECT("x11,6000-6063,tcp,X Window System,,,,,,,,\r\n,6010,,Unassigned,,,,,,,,\r\n",
	       {6010, REGISTRY_TCP, REGISTRY_ASSIGNED, "x11", "X Window System"},
	       {6010, REGISTRY_UDP, REGISTRY_UNASSIGNED, "", ""});
}

static void udp_row_before_tcp(void **state)
{
	(void)state;
	EXPECT("u,5474,udp,U,,,,,,,,\r\n,5474,tcp,Reserved,,,,,,,,\r\n",
	       {5474, REGISTRY_UDP, REGISTRY_ASSIGNED, "u", "U"}, {5474, REGISTRY_TCP, REGISTRY_RESERVED, "", ""});
}

static void states_by_description(void **state)
{
	(void)state;
	EXPECT(
	    ",24,tcp,any private mail system,,,,,,,,\r\n,114,,unassigned,,,,,,,,Deprecated June 2004\r\n"
	    ",15,tcp,Unassigned [was netstat],,,,,,,,\r\nturns,5349,tcp,Reserved for a future enhancement,,,,,,,,\r\n"
	    ",225-241,,Reserved,,,,,,,,\r\n,1109,,Reserved - IANA,,,,,,,,\r\n,2825,,(unassigned) Possibly "
	    "assigned,,,,,,,,\r\n,49151,,IANA Reserved,,,,,,,,\r\nsua,14001,udp,De-Registered,,,,,,,,\r\n",
	    {24, REGISTRY_TCP, REGISTRY_ASSIGNED, "", "any private mail system"},
	    {114, REGISTRY_UDP, REGISTRY_UNASSIGNED, "", ""},
	    {15, REGISTRY_TCP, REGISTRY_UNASSIGNED, "", "Unassigned [was netstat]"},
	    {5349, REGISTRY_TCP, REGISTRY_ASSIGNED, "turns", "Reserved for a future enhancement"},
	    {225, REGISTRY_TCP, REGISTRY_RESERVED, "", ""}, {241, REGISTRY_SCTP, REGISTRY_RESERVED, "", ""},
	    {242, REGISTRY_TCP, REGISTRY_UNASSIGNED, "", ""},
	    {1109, REGISTRY_TCP, REGISTRY_RESERVED, "", "Reserved - IANA"},
	    {2825, REGISTRY_TCP, REGISTRY_UNASSIGNED, "", "(unassigned) Possibly assigned"},
	    {49151, REGISTRY_TCP, REGISTRY_RESERVED, "", ""}, {49152, REGISTRY_TCP, REGISTRY_NOT_LISTED, "", ""},
	    {65535, REGISTRY_UDP, REGISTRY_NOT_LISTED, "", ""},
	    {14001, REGISTRY_UDP, REGISTRY_DEASSIGNED, "sua", "De-Registered"});
}

static void names_that_are_not_ldh(void **state)
{
	(void)state;
	EXPECT("sql*net,66,tcp,Oracle,,,,,,,,\r\ncl/1,172,tcp,Network,,,,,,,,\r\nEtherNet/IP-1,2222,tcp,E,,,,,,,,\r\n"
	       "Net Assistant (old),3283,tcp,N,,,,,,,,\r\n",
	       {66, REGISTRY_TCP, REGISTRY_ASSIGNED, "sql*net", "Oracle"},
	       {172, REGISTRY_TCP, REGISTRY_ASSIGNED, "cl/1", "Network"},
	       {2222, REGISTRY_TCP, REGISTRY_ASSIGNED, "EtherNet/IP-1", "E"},
	       {3283, REGISTRY_TCP, REGISTRY_ASSIGNED, "Net Assistant (old)", "N"});
}

static void text_beyond_ascii(void **state)
{
	(void)state;
	EXPECT("vision-mon,4413,tcp,FORT\xc3\x89 Vision,\xe2\x82\xac,,,,,,,\r\n",
	       {4413, REGISTRY_TCP, REGISTRY_ASSIGNED, "vision-mon", "FORT\xc3\x89 Vision"});
}

static void removal_dates(void **state)
{
	static const struct {
		uint16_t port;
		enum registry_state state;
		uint32_t removed;
	} table[] = {
	    {1276, REGISTRY_DEASSIGNED, 20140523}, {1301, REGISTRY_DEASSIGNED, 20191030},
	    {51, REGISTRY_DEASSIGNED, 20130524},   {2, REGISTRY_DEASSIGNED, 20250213},
	    {585, REGISTRY_DEASSIGNED, 20060425},  {2905, REGISTRY_DEASSIGNED, 0},
	    {3001, REGISTRY_RESERVED, 0},	   {3693, REGISTRY_ASSIGNED, 0},
	    {2693, REGISTRY_UNASSIGNED, 0},	   {1028, REGISTRY_DEASSIGNED, 20040200},
	    {1029, REGISTRY_DEASSIGNED, 20200101},
	};
	struct registry *registry =
	    fixture_registry(",1276,tcp,Reserved,,,,2014-05-23,,,,This entry has been removed on 2014-05-23.\r\n"
			     ",1301,tcp,Reserved,,,,,,,,De-Assigned on 2019-10-30\r\n"
			     ",51,tcp,Reserved,,,,,,,,This entry is being removed on 2013-05-24.\r\n"
			     ",2,tcp,Reserved,,,,,,,,\"De-assigned\non 2025-02-13, previously compressnet\"\r\n"
			     ",585,,De-registered,,,,2006-04-25,,,,Use of 585 is not recommended\r\n"
			     ",2905,tcp,De-registered,,,2001-06-07,,,,,\r\n"
			     ",3001,tcp,Reserved,,,,2013-03-29,,,,\"3001 previously \"\"Removed on 2006-05-25\"\"\"\r\n"
			     "easl,3693,tcp,E,,,,,,,,This port was previously removed on 2007-04-05.\r\n"
			     ",2693,tcp,Unassigned,,,,,,,,(Removed 2004-2-6)\r\n"
			     ",1028,,Deprecated,,,,2004-02,,,,\r\n"
			     ",1029,,Reserved,,,,2020-01-01,,,,Removed on some day\r\n");

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		const struct registry_entry *entry = registry_lookup(registry, table[i].port, REGISTRY_TCP);

		if (entry->state != table[i].state || entry->removed != table[i].removed)
			fail_msg("port %u: state %u, removed %u", table[i].port, entry->state, entry->removed);
	}
	registry_free(registry);
}

static void unauthorized_use_of_the_ports_that_the_note_names(void **state)
{
	static const struct {
		uint16_t port;
		bool noted;
	} table[] = {
	    {6000, false},  {6002, false}, {6003, true},  {6004, false}, {6063, false}, {4489, false},
	    {4490, true},   {4491, true},  {4492, false}, {33436, true}, {33534, true}, {33535, false},
	    {33655, false}, {4444, true},  {79, true},	  {8010, true},	 {44515, true}, {44516, true},
	    {44517, false}, {5151, true},  {5152, true},  {7011, true},	 {7012, false}, {49152, false},
	};
	struct registry *registry = fixture_registry(
	    "x11,6000-6063,tcp,X Window System,,,,,,,Known Unauthorized Use on port 6003,\r\n"
	    ",4489-4499,,Unassigned,,,,,,,Known UNAUTHORIZED USE: Ports 4490 and 4491,\r\n"
	    ",33436-33655,,Unassigned,,,,,,,Known Unauthorized Use on ports 33436-33534,\r\n"
	    "krb524,4444,tcp,K,,,,,,,\"krb524 assigned the port, nv used it\",\r\n"
	    "finger,79,tcp,Finger,,,,,,,Unauthorized use by some mail users (see [RFC4146] for details),\r\n"
	    ",8010,,Unassigned,,,,,,,yes,\r\n"
	    ",44446-44543,,Unassigned,,,,,,,Known UNAUTHORIZED USE: Ports 44515 & 44516,\r\n"
	    "a,5151,tcp,A,,,,,,,Unauthorized Use Known on ports 5151 and 5152,\r\n"
	    "b,5152,tcp,B,,,,,,,Unauthorized Use Known on ports 5151 and 5152,\r\n"
	    "c,7011,tcp,C,,,,,,,Known Unauthorized Use on 7011,\r\n"
	    "d,7012,tcp,D,,,,,,,Known Unauthorized Use on 7011,\r\n");

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		if ((registry_lookup(registry, table[i].port, REGISTRY_TCP)->flags & REGISTRY_UNAUTHORIZED_USE) !=
		    (table[i].noted ? REGISTRY_UNAUTHORIZED_USE : 0))
			fail_msg("port %u", table[i].port);
	assert_true(fixture_names(registry_lookup(registry, 6003, REGISTRY_TCP), "x11"));
	registry_free(registry);
}

static void dates(void **state)
{
	struct registry *registry = fixture_registry("a,70,tcp,A,,,2008-02-29,2021-10,,,,\r\nb,71,tcp,B,,,,,,,,\r\n");
	const struct registry_entry *entry = registry_lookup(registry, 70, REGISTRY_TCP);

	(void)state;
	assert_int_equal(entry->registered, 20080229);
	assert_int_equal(entry->modified, 20211000);
	assert_int_equal(registry_lookup(registry, 71, REGISTRY_TCP)->registered, 0);
	/* the newest whole date of any row */
	assert_string_equal(registry_date(registry), "2008-02-29");
	registry_free(registry);
}

static void rows_without_a_port_are_no_ports(void **state)
{
	struct registry *registry = fixture_registry("zigbee,,udp,ZigBee,,,2013-05-28,,,,,\"TXT keys:\nnone\"\r\n");

	(void)state;
	assert_int_equal(registry_count(registry, REGISTRY_TCP, REGISTRY_ASSIGNED), 1);
	assert_int_equal(registry_count(registry, REGISTRY_UDP, REGISTRY_ASSIGNED), 0);
	assert_int_equal(registry_count(registry, REGISTRY_UDP, REGISTRY_UNASSIGNED), 49152);
	assert_int_equal(registry_count(registry, REGISTRY_UDP, REGISTRY_NOT_LISTED), 65536 - 49152);
	registry_free(registry);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(quoted_line_feeds_and_doubled_quotes),
	    cmocka_unit_test(historic_alias_never_first),
	    cmocka_unit_test(several_names_in_the_order_of_the_file),
	    cmocka_unit_test(rows_without_transport),
	    cmocka_unit_test(the_specific_row_wins),
	    cmocka_unit_test(an_assigned_range_beats_a_narrower_unassigned_one),
	    cmocka_unit_test(udp_row_before_tcp),
	    cmocka_unit_test(states_by_description),
	    cmocka_unit_test(names_that_are_not_ldh),
	    cmocka_unit_test(text_beyond_ascii),
	    cmocka_unit_test(removal_dates),
	    cmocka_unit_test(unauthorized_use_of_the_ports_that_the_note_names),
	    cmocka_unit_test(dates),
	    cmocka_unit_test(rows_without_a_port_are_no_ports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
