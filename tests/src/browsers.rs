//! Browsers for the facade.

use std::sync::{Arc, Mutex};

use auth::{Browser, BrowserError};
use auth_emulator::Robot;
use http::Uri;

/// The emulator's robot as both the user and the browser. Clones share the record.
#[derive(Clone, Debug, Default)]
pub struct RobotBrowser {
    robot: Robot,
    urls: Arc<Mutex<Vec<String>>>,
    pages: Arc<Mutex<Vec<String>>>,
}

impl RobotBrowser {
    /// Creates a robot that signs in as this user.
    pub fn user(name: &str) -> Self {
        Self::of(Robot::new().user(name))
    }

    /// Wraps a robot.
    pub fn of(robot: Robot) -> Self {
        Self { robot, ..Self::default() }
    }

    /// Returns the URLs that were opened.
    pub fn urls(&self) -> Vec<String> {
        self.urls.lock().unwrap().clone()
    }

    /// Returns the texts of the last pages, which are the application's.
    pub fn pages(&self) -> Vec<String> {
        self.pages.lock().unwrap().clone()
    }
}

impl Browser for RobotBrowser {
    async fn open(&self, url: &Uri) -> Result<(), BrowserError> {
        self.urls.lock().unwrap().push(url.to_string());
        let visit = self.robot.visit(&url.to_string()).await;
        let visit = visit.map_err(|error| BrowserError::Other(error.to_string()))?;
        self.pages.lock().unwrap().push(visit.text().to_owned());
        Ok(())
    }
}

/// Succeeds at once without showing the page to anyone.
#[derive(Clone, Copy, Debug)]
pub struct Nobody;

impl Browser for Nobody {
    async fn open(&self, _: &Uri) -> Result<(), BrowserError> {
        Ok(())
    }
}

/// Cannot show anything.
#[derive(Clone, Copy, Debug)]
pub struct Broken;

impl Browser for Broken {
    async fn open(&self, _: &Uri) -> Result<(), BrowserError> {
        Err(BrowserError::Other("the screen is broken".to_owned()))
    }
}
