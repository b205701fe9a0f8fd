// openapi.js FILE...: lints OpenAPI documents with the recommended rules of
// Redocly, warnings and all. Prints each problem; fails when there is one.
// `npm ci` in this folder brings the linter.

const { createConfig, lint } = require("@redocly/openapi-core");

async function main(files) {
	const config = await createConfig({
		extends: ["recommended"],
		rules: {
			// The license's page and the servers are the user's business.
			"info-license": "off",
			"info-license-url": "off",
			"no-server-example.com": "off",
			"no-empty-servers": "off",
			// Some routes cannot refuse anything.
			"operation-4xx-response": "off",
			"no-invalid-media-type-examples": "error",
			"no-invalid-schema-examples": "error",
			"operation-operationId": "error",
			"operation-operationId-unique": "error",
		},
	});
	let bad = 0;
	for (const file of files) {
		for (const p of await lint({ ref: file, config })) {
			const at = p.location[0];
			console.log(`${file}: ${at.pointer || ""}: ${p.severity}: ` +
			    `${p.message} (${p.ruleId})`);
			bad++;
		}
	}
	return bad > 0 ? 1 : 0;
}

main(process.argv.slice(2)).then((status) => {
	process.exitCode = status;
}, (error) => {
	console.error(error);
	process.exitCode = 2;
});
