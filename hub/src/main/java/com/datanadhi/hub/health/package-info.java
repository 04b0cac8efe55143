@NullMarked
package com.datanadhi.hub.health;

import org.jspecify.annotations.NullMarked;
