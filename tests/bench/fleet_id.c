/*
 * Ids of played agents, from a seed and a number.
 */
#include "fleet_id.h"

#include <string.h>

uint64_t
id_mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
	return x ^ (x >> 31);
}

void
id_make(char out[TOKEN_UUID], uint64_t seed, uint32_t number)
{
	uint64_t half[2];
	unsigned char bytes[16];
	char hex[33];

	/* mixing is one to one: as long as the numbers differ, so do these */
	half[0] = id_mix(id_mix(seed) ^ number);
	half[1] = id_mix(half[0] ^ seed);
	memcpy(bytes, half, sizeof(bytes));
	bytes[6] = (unsigned char)((bytes[6] & 0x0f) | 0x40);
	bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80);
	token_hex(hex, bytes, sizeof(bytes));
	memcpy(out, hex, 8);
	memcpy(out + 9, hex + 8, 4);
	memcpy(out + 14, hex + 12, 4);
	memcpy(out + 19, hex + 16, 4);
	memcpy(out + 24, hex + 20, 12);
	out[8] = out[13] = out[18] = out[23] = '-';
	out[TOKEN_UUID - 1] = '\0';
}
