// Unpacks the Chromium of the package into $TMPDIR, with the libraries that a bare machine lacks, and says where it is.
process.env.AWS_EXECUTION_ENV ??= "AWS_Lambda_nodejs22.x";
const { default: chromium } = await import("@sparticuz/chromium");
console.log(await chromium.executablePath());
