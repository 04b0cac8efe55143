/// What operators can do with a hub, and the socket where they ask for it.
@NullMarked
package com.datanadhi.hub.admin;

import org.jspecify.annotations.NullMarked;
