/// Makes a data directory from snapshots and archive, and lets a hub continue in it.
@NullMarked
package com.datanadhi.hub.restore;

import org.jspecify.annotations.NullMarked;
