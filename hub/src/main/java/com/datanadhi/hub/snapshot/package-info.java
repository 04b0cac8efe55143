/// Snapshots: copies of the tenants' databases in the object store. They are taken while writing
/// goes on, read back before they count, and found again by what they contain, not by their names.
@NullMarked
package com.datanadhi.hub.snapshot;

import org.jspecify.annotations.NullMarked;
