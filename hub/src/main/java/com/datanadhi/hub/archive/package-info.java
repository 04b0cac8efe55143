/// The archive of each tenant's records in an object store: segments of JSON Lines that prove
/// themselves by digests and by the chain.
@NullMarked
package com.datanadhi.hub.archive;

import org.jspecify.annotations.NullMarked;
