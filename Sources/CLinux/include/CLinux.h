#pragma once

#include "affinity.h"
#include "sockets.h"
