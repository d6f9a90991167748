#pragma once

#include "affinity.h"
#include "route.h"
#include "sockets.h"
