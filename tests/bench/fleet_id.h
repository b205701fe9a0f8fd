#ifndef FLEET_ID_H
#define FLEET_ID_H
/*
 * Who the played agents are: the same UUIDs from the same seed, so that one
 * program can register them and another can be them.
 */
#include <stdint.h>

#include "token.h"

/* 64 bits that look random, from a number (Steele and others, SplitMix). */
uint64_t id_mix(uint64_t);

/* Version 4 (RFC 9562). No two of one seed are the same. */
void id_make(char out[TOKEN_UUID], uint64_t seed, uint32_t number);

#endif
