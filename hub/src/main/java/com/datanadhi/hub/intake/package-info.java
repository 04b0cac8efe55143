@NullMarked
package com.datanadhi.hub.intake;

import org.jspecify.annotations.NullMarked;
