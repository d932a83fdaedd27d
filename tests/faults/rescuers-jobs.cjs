// For runs that only rescue: a type that nobody inserts.
module.exports = [{ type: 'nobody inserts this', run: () => undefined }];
