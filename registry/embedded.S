/* SPDX-License-Identifier: BSD-2-Clause */
/* The registry that is part of the program; registry_open_embedded() reads it. Any architecture, gcc and clang. */
	.section .rodata
	.balign 16
	.global registry_embedded
	.type registry_embedded, %object
registry_embedded:
	.incbin "registry/snapshot.iana"
	.size registry_embedded, . - registry_embedded
	.global registry_embedded_end
	.type registry_embedded_end, %object
registry_embedded_end:
	/* a byte of its own: the end is then not the address of what follows, and a reader cannot run out of the section */
	.byte 0
	.size registry_embedded_end, 1

/* no executable stack */
	.section .note.GNU-stack, "", %progbits
