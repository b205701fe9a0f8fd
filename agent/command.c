/*
 * What a worker is started with. The table of settings says what is secret,
 * so that a secret which is added later does not leak; the rest of what
 * controller and agent are told goes by its first word.
 */
#include "command.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "settings.h"

static const char command_blanks[] = " \t\r\n";

static size_t
command_count(const char *text)
{
	size_t n = 0;

	while (*(text += strspn(text, command_blanks)) != '\0') {
		text += strcspn(text, command_blanks);
		n++;
	}
	return n;
}

char **
command_words(const char *text)
{
	size_t count = command_count(text), len = strlen(text), n = 0;
	char **words, *rest, *word;

	if (count == 0)
		return NULL;
	words = malloc((count + 1) * sizeof(*words) + len + 1);
	if (words == NULL)
		return NULL;
	rest = (char *)(words + count + 1);
	memcpy(rest, text, len + 1);
	while ((word = strsep(&rest, command_blanks)) != NULL)
		if (*word != '\0')
			words[n++] = word;
	words[n] = NULL;
	return words;
}

/* NAME or NAME_FILE. */
static bool
command_names(const char *name, size_t len, const char *word, size_t word_len)
{
	static const char file[] = "_FILE";
	size_t rest = len - word_len;

	if (len < word_len || memcmp(name, word, word_len) != 0)
		return false;
	return rest == 0 || (rest == sizeof(file) - 1 &&
	    memcmp(name + word_len, file, rest) == 0);
}

static bool
command_is_secret(const char *name, size_t len)
{
	for (const struct setting *s = settings_table; s->name != NULL; s++) {
		const char *also = s->also;

		if (s->kind != SETTING_SECRET ||
		    strcmp(s->name, "WORKER_API_KEY") == 0)
			continue;
		if (command_names(name, len, s->name, strlen(s->name)))
			return true;
		while (also != NULL && *also != '\0') {
			size_t n = strcspn(also, " ");

			if (command_names(name, len, also, n))
				return true;
			also += n + strspn(also + n, " ");
		}
	}
	return false;
}

static bool
command_may_see(const char *entry)
{
	static const char *const others[] = { "CONTROLLER_", "ADMIN_",
		"AGENT_" };

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (strncmp(entry, others[i], strlen(others[i])) == 0)
			return false;
	return strncmp(entry, "PORT=", 5) != 0 &&
	    !command_is_secret(entry, strcspn(entry, "="));
}

char **
command_environment(char *const *from)
{
	size_t count = 0, n = 0;
	char **kept;

	while (from[count] != NULL)
		count++;
	kept = malloc((count + 1) * sizeof(*kept));
	if (kept == NULL)
		return NULL;
	for (size_t i = 0; i < count; i++)
		if (command_may_see(from[i]))
			kept[n++] = from[i];
	kept[n] = NULL;
	return kept;
}
